"""What this machine has and lacks for VistaQL, and what to do about it."""

"""What this machine has and lacks for VistaQL, and what to do about it."""

from vistaql.doctor.examine import examine, show
from vistaql.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine", "show"]

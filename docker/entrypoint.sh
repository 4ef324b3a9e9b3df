#!/bin/bash
# Kubernetes starts executors with the word `executor`, and says the rest in the environment. Other words are a command.
set -eu

if [ "${1-}" != executor ]; then
    exec "$@"
fi

options=()
while IFS= read -r -d '' setting; do
    case $setting in SPARK_JAVA_OPT_*) options+=("${setting#*=}") ;; esac
done < <(env -0)

exec "$JAVA_HOME/bin/java" ${options[@]+"${options[@]}"} \
    "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$SPARK_HOME/jars/*" \
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
    --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
    --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"

{{/* What the schema cannot say: relations between values, and what the cluster must offer. */}}
{{- define "gabion.checks" -}}
{{- $defaults := list -}}
{{- range $name, $class := .Values.storageClasses -}}
{{- if $class.enabled -}}
{{- if $class.isDefault }}{{ $defaults = append $defaults $name }}{{ end -}}
{{- with $class.parameters -}}
{{- if and .minInSync .replicas (gt (int .minInSync) (int .replicas)) -}}
{{- fail (printf "storageClasses.%s.parameters: minInSync %s is more than replicas %s; no write could ever be acknowledged" $name (toString .minInSync) (toString .replicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (len $defaults) 1 -}}
{{- fail (printf "storageClasses: only one class can be the default, but isDefault is true for %s" (join " and " $defaults)) -}}
{{- end -}}
{{- if and (not .Values.test.storageClassName) (not $defaults) -}}
{{- fail "test.storageClassName: name a class, because none of storageClasses is the default" -}}
{{- end -}}
{{- range .Values.dataPlane.directories -}}
{{- if has . (list "/" "/var" "/var/lib" "/var/lib/gabion" $.Values.kubeletDirectory "/etc" "/usr" "/run" "/dev" "/proc" "/sys" "/boot") -}}
{{- fail (printf "dataPlane.directories: %s is not a directory for data; name one of its own, as in /mnt/fast (/var/lib/gabion is always there)" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.snapshots.enabled (not (.Capabilities.APIVersions.Has "snapshot.storage.k8s.io/v1")) -}}
{{- fail "snapshots.enabled: the cluster has no snapshot.storage.k8s.io/v1; install the snapshot CRDs and the snapshot controller first, or set it to false" -}}
{{- end -}}
{{- if and (eq .Values.monitoring.serviceMonitor.mode "Always") (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- fail "monitoring.serviceMonitor.mode: the cluster has no monitoring.coreos.com/v1; install the Prometheus operator first, or set it to Auto" -}}
{{- end -}}
{{- end }}

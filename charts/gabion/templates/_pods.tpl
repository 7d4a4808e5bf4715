{{/* What every pod has. Arguments: root, component, name of the service account, the component's values. */}}
{{- define "gabion.podFields" -}}
{{- $root := index . 0 -}}
{{- $values := index . 3 -}}
serviceAccountName: {{ index . 2 }}
priorityClassName: {{ $values.priorityClassName }}
enableServiceLinks: false
{{- with $root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Metadata of a pod template. Arguments: root, component, the component's values. */}}
{{- define "gabion.podMetadata" -}}
{{- $values := index . 2 -}}
labels:
  {{- include "gabion.labels" (index . 0) | nindent 2 }}
  app.kubernetes.io/component: {{ index . 1 }}
{{- with $values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Who and where the pod is. Arguments: values of the component. */}}
{{- define "gabion.environment" -}}
env:
  - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
  - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
{{- with .javaOptions }}
  - {name: JDK_JAVA_OPTIONS, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{/* Security of a pod that needs nothing from its node. */}}
{{- define "gabion.restrictedPod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 64535
  runAsGroup: 64535
  fsGroup: 64535
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "gabion.restrictedContainer" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* The replicas of a Deployment keep to different nodes where they can. Argument: the component. */}}
{{- define "gabion.spread" -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "gabion.selector" . | nindent 14 }}
{{- end }}

{{/*
Probes of a Java component. Arguments: seconds that a start may take. Liveness speaks of the process alone, never of what it depends
on; the supervisor restarts a dead JVM at once, so the kubelet steps in only when that does not help.
*/}}
{{- define "gabion.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: {{ div . 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 12
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 3
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

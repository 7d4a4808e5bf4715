{{/* Labels of every object. Argument: the root. */}}
{{- define "gabion.labels" -}}
app.kubernetes.io/name: gabion
app.kubernetes.io/part-of: gabion
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What selects a component's pods; never changes, because selectors of workloads cannot. Argument: the component. */}}
{{- define "gabion.selector" -}}
app.kubernetes.io/name: gabion
app.kubernetes.io/component: {{ . }}
{{- end }}

{{/* Metadata of an object of a component. Arguments: root, component, name; namespaced unless "cluster" follows. */}}
{{- define "gabion.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 }}
{{- if lt (len .) 4 }}
namespace: {{ $root.Release.Namespace }}
{{- end }}
labels:
  {{- include "gabion.labels" $root | nindent 2 }}
  {{- with index . 1 }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- end }}

{{/* A component's user name at the API server. Arguments: root, name of the service account. */}}
{{- define "gabion.user" -}}
system:serviceaccount:{{ (index . 0).Release.Namespace }}:{{ index . 1 }}
{{- end }}

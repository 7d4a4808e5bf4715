{{/* The rows of ports.yaml for a component that are switched on, as JSON. Arguments: root, component. */}}
{{- define "gabion.portRows" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $rows := list -}}
{{- range $root.Files.Get "ports.yaml" | fromYamlArray -}}
{{- if eq .component $component -}}
{{- range .ports -}}
{{- if or (not .with) (get (index $root.Values .with) "enabled") -}}
{{- $rows = append $rows . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $rows -}}
{{- end }}

{{/* Number of a port. Arguments: root, component, name of the port. */}}
{{- define "gabion.port" -}}
{{- $name := index . 2 -}}
{{- range include "gabion.portRows" (list (index . 0) (index . 1)) | fromJsonArray -}}
{{- if eq .name $name }}{{ .port }}{{ end -}}
{{- end -}}
{{- end }}

{{/* Container ports. Arguments: root, component, then names of ports; all of the component when none is given. */}}
{{- define "gabion.containerPorts" -}}
{{- $names := slice . 2 -}}
ports:
{{- range include "gabion.portRows" (list (index . 0) (index . 1)) | fromJsonArray }}
{{- if or (not $names) (has .name $names) }}
  - {name: {{ .name }}, containerPort: {{ .port }}, protocol: TCP}
{{- end }}
{{- end }}
{{- end }}

{{/* Reference of an image. Arguments: root, image value. The chart's version is the tag of our own images; a digest wins over a tag. */}}
{{- define "gabion.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := $root.Values.global.imageRegistry | default $image.registry -}}
{{- $name := $image.repository -}}
{{- if $registry }}{{ $name = printf "%s/%s" (trimSuffix "/" $registry) $name }}{{ end -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $name $image.digest }}
{{- else -}}
{{ printf "%s:%s" $name ($image.tag | default $root.Chart.AppVersion) }}
{{- end -}}
{{- end }}

{{- define "gabion.imageFields" -}}
image: {{ include "gabion.image" . }}
imagePullPolicy: {{ (index . 0).Values.global.imagePullPolicy }}
{{- end }}

{{- /* The second configuration as one file. */ -}}
{{- define "mgateway.shadowText" -}}
{{- $texts := list -}}
{{- range .Values.shadow.resources -}}
{{- $texts = append $texts (printf "---\n%s\n" (toYaml .)) -}}
{{- end -}}
{{- $text := join "" $texts -}}
{{- if gt (len $text) 921600 -}}
{{- fail (printf "shadow.resources: %d bytes do not fit into a ConfigMap of 900 KiB; use shadow.existingConfigMaps" (len $text)) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{- /* Where it is mounted: JSON list of `{path, volume, configMap, optional}`; empty where it is off. */ -}}
{{- define "mgateway.shadowSources" -}}
{{- $sources := list -}}
{{- if .Values.shadow.enabled -}}
{{- if .Values.shadow.resources -}}
{{- $sources = append $sources (dict "path" "/etc/mgateway/shadow/resources" "volume" "shadow" "configMap" (printf "%s-shadow" (include "mgateway.fullname" .)) "optional" false) -}}
{{- end -}}
{{- range $index, $source := .Values.shadow.existingConfigMaps -}}
{{- $sources = append $sources (dict "path" (printf "/etc/mgateway/shadow/configmaps/%s" $source.name) "volume" (printf "shadow-%d" $index) "configMap" $source.name "optional" (default false $source.optional)) -}}
{{- end -}}
{{- if not $sources -}}
{{- fail "shadow.enabled: give shadow.resources or shadow.existingConfigMaps" -}}
{{- end -}}
{{- end -}}
{{- toJson $sources -}}
{{- end -}}

{{- /*
Spreads config.resources over ConfigMaps; prints nothing, and leaves `{shards: [{name, file, text}], hash}` in `.Values.computedConfig`:
with thousands of routes that is worth doing once.

A resource's shard follows from its kind, namespace and name, so that an edit touches one ConfigMap and nothing moves; their number is a
power of two, so that it seldom changes. It is part of their names: where it does change, pods of the rollout's old side keep what they have,
instead of seeing resources move out of the ConfigMaps that they know. A ConfigMap holds 1 MiB at most; here it is taken as full at 900 KiB, and aimed at 512 KiB.
`hash` is what the gateway shows as source_hash: sha256 of the sha256sum listing of the files, sorted by path.
*/ -}}
{{- define "mgateway.config" -}}
{{- if not (hasKey .Values "computedConfig") -}}
{{- $full := int 921600 -}}
{{- $aim := int 524288 -}}
{{- $entries := list -}}
{{- $total := 0 -}}
{{- $seen := dict -}}
{{- range $resource := .Values.config.resources -}}
{{- $key := printf "%s/%s/%s" $resource.kind (default "default" $resource.metadata.namespace) $resource.metadata.name -}}
{{- if hasKey $seen $key -}}
{{- fail (printf "config.resources: %s stands there twice" $key) -}}
{{- end -}}
{{- $_ := set $seen $key true -}}
{{- $text := printf "---\n%s\n" (toYaml $resource) -}}
{{- if gt (len $text) $full -}}
{{- fail (printf "config.resources: %s is too large for a ConfigMap (%d bytes)" $key (len $text)) -}}
{{- end -}}
{{- $total = add $total (len $text) -}}
{{- $_ := set $seen $key (dict "hash" (printf "0x%s" (sha256sum $key | trunc 6) | int64) "text" $text) -}}
{{- end -}}
{{- $counts := list 1 2 4 8 16 32 64 128 256 -}}
{{- if .Values.config.shards -}}
{{- $counts = list (int .Values.config.shards) -}}
{{- end -}}
{{- $found := dict -}}
{{- range $count := $counts -}}
{{- if and (not $found.shards) (or $.Values.config.shards (le (int $total) (int (mul $count $aim)))) -}}
{{- $buckets := dict -}}
{{- range $index := until $count -}}
{{- $_ := set $buckets (toString $index) (dict "texts" list "size" 0) -}}
{{- end -}}
{{- range $key, $entry := $seen -}}
{{- $bucket := get $buckets (mod $entry.hash $count | toString) -}}
{{- $_ := set $bucket "texts" (append $bucket.texts $entry.text) -}}
{{- $_ := set $bucket "size" (add $bucket.size (len $entry.text)) -}}
{{- end -}}
{{- $shards := list -}}
{{- $fits := true -}}
{{- range $index := until $count -}}
{{- $bucket := get $buckets (toString $index) -}}
{{- if gt (int $bucket.size) $full -}}
{{- $fits = false -}}
{{- end -}}
{{- $name := printf "%s-config" (include "mgateway.fullname" $) -}}
{{- if gt $count 1 -}}
{{- $name = printf "%s-%d-%d" $name $count $index -}}
{{- end -}}
{{- $shards = append $shards (dict "name" $name "file" (printf "resources-%03d.yaml" $index) "text" (join "" $bucket.texts)) -}}
{{- end -}}
{{- if $fits -}}
{{- $_ := set $found "shards" $shards -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $found.shards -}}
{{- fail (printf "config.resources: %d bytes do not fit into %d ConfigMaps of 900 KiB; raise config.shards or use config.existingConfigMaps" $total (last $counts)) -}}
{{- end -}}
{{- $lines := list -}}
{{- range $shard := $found.shards -}}
{{- if $shard.text -}}
{{- $lines = append $lines (printf "%s  %s\n" (sha256sum $shard.text) $shard.file) -}}
{{- end -}}
{{- end -}}
{{- $_ := set .Values "computedConfig" (dict "shards" $found.shards "hash" (sha256sum (join "" $lines))) -}}
{{- end -}}
{{- end -}}

{{- /* The hash that gateways show when they have read config.resources. */ -}}
{{- define "mgateway.sourceHash" -}}
{{- include "mgateway.config" . -}}
{{- .Values.computedConfig.hash -}}
{{- end -}}

{{- /* Where configuration is mounted: JSON list of `{path, volume, secret?, configMap?, optional?}`; `volume` alone is that of config.resources. */ -}}
{{- define "mgateway.sources" -}}
{{- $sources := list -}}
{{- $existing := concat .Values.config.existingConfigMaps .Values.config.existingSecrets -}}
{{- if or .Values.config.resources (not $existing) -}}
{{- $sources = append $sources (dict "path" "/etc/mgateway/resources" "volume" "resources") -}}
{{- end -}}
{{- range $index, $source := .Values.config.existingConfigMaps -}}
{{- $sources = append $sources (dict "path" (printf "/etc/mgateway/configmaps/%s" $source.name) "volume" (printf "configmap-%d" $index) "configMap" $source.name "optional" (default false $source.optional)) -}}
{{- end -}}
{{- range $index, $source := .Values.config.existingSecrets -}}
{{- $sources = append $sources (dict "path" (printf "/etc/mgateway/configs-in-secrets/%s" $source.name) "volume" (printf "secret-%d" $index) "secret" $source.name "optional" (default false $source.optional)) -}}
{{- end -}}
{{- toJson $sources -}}
{{- end -}}

{{- /* Volumes of the sources. Takes a list: the root, and what is put before the names of the ConfigMaps of config.resources. */ -}}
{{- define "mgateway.sourceVolumes" -}}
{{- $root := index . 0 -}}
{{- $prefix := index . 1 -}}
{{- include "mgateway.config" $root -}}
{{- range $source := include "mgateway.sources" $root | fromJsonArray }}
- name: {{ $source.volume }}
  projected:
    defaultMode: 0444
    sources:
      {{- if $source.configMap }}
      - configMap: { name: {{ $source.configMap | quote }}, optional: {{ $source.optional }} }
      {{- else if $source.secret }}
      - secret: { name: {{ $source.secret | quote }}, optional: {{ $source.optional }} }
      {{- else }}
      {{- range $shard := $root.Values.computedConfig.shards }}
      - configMap: { name: {{ printf "%s%s" $shard.name $prefix | quote }} }
      {{- end }}
      {{- end }}
{{- end }}
{{- end -}}

{{- /* Whole directories, never subPath: a file mounted by subPath is never swapped. */ -}}
{{- define "mgateway.sourceMounts" -}}
{{- range $source := include "mgateway.sources" . | fromJsonArray }}
- { name: {{ $source.volume }}, mountPath: {{ $source.path | quote }}, readOnly: true }
{{- end }}
{{- end -}}

{{- /* The ConfigMaps of config.resources. Takes a dict: root, suffix of names, component, annotations. */ -}}
{{- define "mgateway.configMaps" -}}
{{- $root := .root -}}
{{- $suffix := .suffix -}}
{{- $component := .component -}}
{{- $annotations := .annotations -}}
{{- include "mgateway.config" $root -}}
{{- range $shard := $root.Values.computedConfig.shards }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ printf "%s%s" $shard.name $suffix }}
  namespace: {{ include "mgateway.namespace" $root }}
  labels:
    {{- include "mgateway.labels" (list $root $component) | nindent 4 }}
  {{- with include "mgateway.annotations" (list $root $annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- if $shard.text }}
data:
  {{ $shard.file }}: |
    {{- $shard.text | trimSuffix "\n" | nindent 4 }}
{{- else }}
data: {}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Seconds in a duration such as 1m30s, rounded up. */ -}}
{{- define "mgateway.seconds" -}}
{{- $total := 0 -}}
{{- $text := . -}}
{{- range $part := regexFindAll "[0-9]+(ms|h|m|s)" $text -1 -}}
{{- $number := regexFind "^[0-9]+" $part | int -}}
{{- if hasSuffix "ms" $part -}}
{{- $total = add $total (div (add $number 999) 1000) -}}
{{- else if hasSuffix "s" $part -}}
{{- $total = add $total $number -}}
{{- else if hasSuffix "m" $part -}}
{{- $total = add $total (mul $number 60) -}}
{{- else -}}
{{- $total = add $total (mul $number 3600) -}}
{{- end -}}
{{- end -}}
{{- $total -}}
{{- end -}}

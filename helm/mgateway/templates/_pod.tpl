{{- /* Arguments of the gateway: a YAML list. */ -}}
{{- define "mgateway.args" -}}
- serve
{{- range $source := include "mgateway.sources" . | fromJsonArray }}
- {{ printf "--config=%s" $source.path | quote }}
{{- end }}
- --admin=127.0.0.1:9901
- --probes=0.0.0.0:{{ .Values.probesPort }}
- --workers={{ .Values.gateway.workers }}
- --log-level={{ .Values.gateway.logLevel }}
- --log-format={{ .Values.gateway.logFormat }}
- --shutdown-delay={{ .Values.gateway.shutdownDelay }}
- --drain-timeout={{ .Values.gateway.drainTimeout }}
{{- if .Values.gateway.accessLog }}
- --access-log
{{- end }}
{{- if .Values.gateway.strict }}
- --strict
{{- end }}
{{- if .Values.modules.existingConfigMap }}
- --modules-dir=/etc/mgateway/modules
{{- end }}
{{- range $source := include "mgateway.shadowSources" . | fromJsonArray }}
- {{ printf "--shadow=%s" $source.path | quote }}
{{- end }}
{{- if .Values.stateDir.enabled }}
- --state-dir=/var/lib/mgateway
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* Without a listener a port would accept nothing; said here, before anybody waits for it. */ -}}
{{- define "mgateway.checkPorts" -}}
{{- $listens := dict -}}
{{- range $resource := .Values.config.resources -}}
{{- if eq $resource.kind "Gateway" -}}
{{- $_ := set $listens "any" true -}}
{{- range $listener := $resource.spec.listeners -}}
{{- $_ := set $listens (toString $listener.port) true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $own := not (or .Values.config.existingConfigMaps .Values.config.existingSecrets) -}}
{{- if and $own (not $listens.any) -}}
{{- $_ := set $listens "8080" true -}}
{{- end -}}
{{- range $name, $port := .Values.ports -}}
{{- if and $own (not (hasKey $listens (toString $port.containerPort))) -}}
{{- fail (printf "ports.%s.containerPort: no Gateway in config.resources listens on %v" $name $port.containerPort) -}}
{{- end -}}
{{- if or (eq (int $port.containerPort) (int $.Values.probesPort)) (eq (int $port.containerPort) 9901) -}}
{{- fail (printf "ports.%s.containerPort: %v is taken by the probes or the admin API" $name $port.containerPort) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mgateway.podTemplate" -}}
{{- include "mgateway.checkPorts" . -}}
{{- $needed := add (include "mgateway.seconds" .Values.gateway.shutdownDelay) (include "mgateway.seconds" .Values.gateway.drainTimeout) | int -}}
{{- $grace := int .Values.terminationGracePeriodSeconds | default (add $needed 10 | int) -}}
{{- if le $grace $needed -}}
{{- fail (printf "terminationGracePeriodSeconds: %d s are not longer than gateway.shutdownDelay and gateway.drainTimeout together (%d s)" $grace $needed) -}}
{{- end -}}
{{- if and .Values.stateDir.enabled .Values.stateDir.volume.persistentVolumeClaim -}}
{{- if or (ne .Values.kind "Deployment") .Values.autoscaling.enabled (gt (int .Values.replicas) 1) (ne .Values.updateStrategy.type "Recreate") -}}
{{- fail "stateDir.volume: a persistentVolumeClaim is for one gateway alone: replicas: 1 and updateStrategy: { type: Recreate, rollingUpdate: null }" -}}
{{- end -}}
{{- end -}}
{{- $annotations := deepCopy .Values.podAnnotations -}}
{{- if eq .Values.config.reload "restart" -}}
{{- $_ := set $annotations "mgateway.dev/source-hash" (include "mgateway.sourceHash" .) -}}
{{- end -}}
metadata:
  # Without the chart's version: a new one alone is no reason to replace pods.
  labels:
    {{- include "mgateway.selector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "mgateway.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with include "mgateway.imagePullSecrets" . }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  terminationGracePeriodSeconds: {{ $grace }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  dnsPolicy: {{ .Values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "ClusterFirst" .Values.hostNetwork) }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .Values.kind "Deployment" }}
  topologySpreadConstraints:
    {{- range $constraint := .Values.topologySpreadConstraints | default (list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway")) }}
    {{- $selector := dict "labelSelector" (dict "matchLabels" (include "mgateway.selector" $ | fromYaml)) }}
    - {{- toYaml (merge (deepCopy $constraint) $selector) | nindent 6 }}
    {{- end }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: gateway
      image: {{ include "mgateway.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- include "mgateway.args" . | nindent 8 }}
      {{- with .Values.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if or .Values.env .Values.gateway.adminToken.existingSecret }}
      env:
        {{- if .Values.gateway.adminToken.existingSecret }}
        # Not an argument: commands run by `kubectl exec` find it here too.
        - { name: MGATEWAY_ADMIN_TOKEN_FILE, value: {{ printf "/etc/mgateway/admin-token/%s" .Values.gateway.adminToken.key | quote }} }
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range $name, $port := .Values.ports }}
        - name: {{ $name }}
          containerPort: {{ $port.containerPort }}
          {{- with $port.hostPort }}
          hostPort: {{ . }}
          {{- end }}
          protocol: TCP
        {{- end }}
        - { name: probes, containerPort: {{ .Values.probesPort }}, protocol: TCP }
      {{- with .Values.startupProbe }}
      startupProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.readinessProbe }}
      readinessProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.livenessProbe }}
      livenessProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        {{- include "mgateway.sourceMounts" . | nindent 8 }}
        {{- range .Values.secretFiles }}
        - { name: {{ printf "file-%s" .name }}, mountPath: {{ printf "/etc/mgateway/secrets/%s" .name | quote }}, readOnly: true }
        {{- end }}
        {{- if .Values.modules.existingConfigMap }}
        - { name: modules, mountPath: /etc/mgateway/modules, readOnly: true }
        {{- end }}
        {{- if .Values.gateway.adminToken.existingSecret }}
        - { name: admin-token, mountPath: /etc/mgateway/admin-token, readOnly: true }
        {{- end }}
        {{- range $source := include "mgateway.shadowSources" . | fromJsonArray }}
        - { name: {{ $source.volume }}, mountPath: {{ $source.path | quote }}, readOnly: true }
        {{- end }}
        {{- if .Values.stateDir.enabled }}
        - { name: state, mountPath: /var/lib/mgateway }
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "mgateway.sourceVolumes" (list . "") | nindent 4 }}
    {{- range .Values.secretFiles }}
    - name: {{ printf "file-%s" .name }}
      secret: { secretName: {{ .secretName | quote }}, defaultMode: 0440 }
    {{- end }}
    {{- with .Values.modules.existingConfigMap }}
    - name: modules
      configMap: { name: {{ . | quote }} }
    {{- end }}
    {{- with .Values.gateway.adminToken.existingSecret }}
    - name: admin-token
      secret: { secretName: {{ . | quote }}, defaultMode: 0440 }
    {{- end }}
    {{- range $source := include "mgateway.shadowSources" . | fromJsonArray }}
    - name: {{ $source.volume }}
      configMap: { name: {{ $source.configMap | quote }}, optional: {{ $source.optional }}, defaultMode: 0444 }
    {{- end }}
    {{- if .Values.stateDir.enabled }}
    - name: state
      {{- toYaml (.Values.stateDir.volume | default (dict "emptyDir" (dict "sizeLimit" .Values.stateDir.sizeLimit))) | nindent 6 }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- /* What Jobs and tests share with the gateway. Takes the root. */ -}}
{{- define "mgateway.taskPod" -}}
restartPolicy: Never
enableServiceLinks: false
{{- with include "mgateway.imagePullSecrets" . }}
{{ . }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

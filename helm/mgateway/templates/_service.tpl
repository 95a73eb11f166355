{{- /* A Service in front of the gateways. Takes a dict: root, name, service (its fields as in `service`, and `ports`: names, or none for all). */ -}}
{{- define "mgateway.service" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $outside := ne $service.type "ClusterIP" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  namespace: {{ include "mgateway.namespace" $root }}
  labels:
    {{- include "mgateway.labels" (list $root "gateway") | nindent 4 }}
    {{- with $service.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with include "mgateway.annotations" (list $root $service.annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
spec:
  type: {{ $service.type }}
  selector:
    {{- include "mgateway.selector" $root | nindent 4 }}
  {{- with $service.clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  {{- if eq $service.type "LoadBalancer" }}
  {{- with $service.loadBalancerIP }}
  loadBalancerIP: {{ . }}
  {{- end }}
  {{- with $service.loadBalancerClass }}
  loadBalancerClass: {{ . }}
  {{- end }}
  {{- with $service.loadBalancerSourceRanges }}
  loadBalancerSourceRanges:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if kindIs "bool" $service.allocateLoadBalancerNodePorts }}
  allocateLoadBalancerNodePorts: {{ $service.allocateLoadBalancerNodePorts }}
  {{- end }}
  {{- if eq $service.externalTrafficPolicy "Local" }}
  {{- with $service.healthCheckNodePort }}
  healthCheckNodePort: {{ . }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- with $service.externalIPs }}
  externalIPs:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $outside }}
  externalTrafficPolicy: {{ $service.externalTrafficPolicy }}
  {{- end }}
  internalTrafficPolicy: {{ $service.internalTrafficPolicy }}
  sessionAffinity: {{ $service.sessionAffinity }}
  {{- with $service.trafficDistribution }}
  trafficDistribution: {{ . }}
  {{- end }}
  {{- with $service.ipFamilyPolicy }}
  ipFamilyPolicy: {{ . }}
  {{- end }}
  {{- with $service.ipFamilies }}
  ipFamilies:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    {{- range $name, $port := $root.Values.ports }}
    {{- $wanted := ternary (has $name $service.ports) (not (and (hasKey $port "servicePort") (eq (int $port.servicePort) 0))) (not (empty $service.ports)) }}
    {{- if $wanted }}
    - name: {{ $name }}
      port: {{ default $port.containerPort $port.servicePort }}
      targetPort: {{ $name }}
      protocol: TCP
      {{- with $port.appProtocol }}
      appProtocol: {{ . }}
      {{- end }}
      {{- if and $outside (not $service.ports) }}
      {{- with $port.nodePort }}
      nodePort: {{ . }}
      {{- end }}
      {{- end }}
    {{- end }}
    {{- end }}
{{- end -}}

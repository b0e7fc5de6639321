{{/* How a Service is reached from outside: a value of the chart with a `type`. */}}
{{- define "parley.exposure" -}}
type: {{ .type }}
{{- if eq .type "LoadBalancer" }}
{{- with .loadBalancerClass }}
loadBalancerClass: {{ . }}
{{- end }}
{{- with .loadBalancerSourceRanges }}
loadBalancerSourceRanges:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- if ne .type "ClusterIP" }}
externalTrafficPolicy: {{ default "Local" .externalTrafficPolicy }}
{{- end }}
{{- with .ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- end -}}

{{- define "parley.servicePort" -}}
{{- if index . 1 }}
- name: {{ index . 0 }}
  port: {{ index . 1 }}
  targetPort: {{ index . 0 }}
  appProtocol: {{ index . 0 }}
{{- end }}
{{- end -}}

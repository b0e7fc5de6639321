{{/* What pods have in common. */}}

{{- define "parley.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "parley.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "parley.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Variables of every container of Parley. */}}
{{- define "parley.trust" -}}
{{- with .Values.trustedAuthorities }}
- name: NODE_EXTRA_CA_CERTS
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Where pods may run: (list . .Values). */}}
{{- define "parley.placement" -}}
{{- $values := index . 1 -}}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* What is mounted in every container of Parley: (list . "configuration"), the latter being the ConfigMap. */}}
{{- define "parley.mounts" -}}
{{- $ := index . 0 -}}
- name: configuration
  mountPath: /etc/parley
  readOnly: true
- name: cluster
  mountPath: /run/parley/cluster
  readOnly: true
{{- if $.Values.redis.passwordSecret.name }}
- name: redis
  mountPath: /run/parley/redis
  readOnly: true
{{- end }}
{{- range $.Values.files }}
- name: file-{{ .name }}
  mountPath: /run/parley/files/{{ .name }}
  readOnly: true
{{- end }}
- name: state
  mountPath: /var/lib/parley
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "parley.volumes" -}}
{{- $ := index . 0 -}}
- name: configuration
  configMap:
    name: {{ index . 1 }}
# 288 is 0440: for the group of the pod alone.
- name: cluster
  secret:
    secretName: {{ $.Values.cluster.secret.name }}
    defaultMode: 288
    items:
      - key: {{ $.Values.cluster.secret.key }}
        path: {{ $.Values.cluster.secret.key }}
{{- with $.Values.redis.passwordSecret }}
{{- if .name }}
- name: redis
  secret:
    secretName: {{ .name }}
    defaultMode: 288
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- range $.Values.files }}
- name: file-{{ .name }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 288
  {{- else }}
  configMap:
    name: {{ .configMap }}
  {{- end }}
{{- end }}
# The socket for `parley`, and the certificate that the node makes itself where there is no other. Nothing that has to stay.
- name: state
  emptyDir:
    sizeLimit: 64Mi
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end -}}

{{/* Names and labels. All of them are those of the release, so that two can live in one namespace. */}}

{{- define "parley.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* 40 characters at most: the longest that is put behind has 20, and a Service may have 63. */}}
{{- define "parley.fullname" -}}
{{- $name := include "parley.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What Prometheus calls the nodes of this release. */}}
{{- define "parley.job" -}}
{{- printf "%s/%s" .Release.Namespace (include "parley.fullname" .) -}}
{{- end -}}

{{/* By what pods of one kind are found. Takes the component behind the chart's context: (list . "node"). */}}
{{- define "parley.selector" -}}
app.kubernetes.io/name: {{ include "parley.name" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "parley.labels" -}}
{{ include "parley.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/part-of: parley
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{- define "parley.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "parley.fullname" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "parley.tlsSecret" -}}
{{- if .Values.tls.secretName -}}
{{- .Values.tls.secretName -}}
{{- else if .Values.tls.certificate.enabled -}}
{{- printf "%s-tls" (include "parley.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* An image with its digest or tag: (list . .Values.image). */}}
{{- define "parley.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default (index . 0).Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

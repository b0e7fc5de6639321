{{/*
How many nodes the Deployment is to have; nothing where autoscaling decides. When that begins on a release that runs, leaving
the number out would have Helm take it back, and with it all nodes but one: so the number stays as it is until the autoscaler
has made it its own. Where Helm patches by itself (those of version 3) it would take it back at any later time, too.
*/}}
{{- define "parley.replicas" -}}
{{- if not .Values.autoscaling.enabled -}}
{{- .Values.replicas -}}
{{- else -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "parley.fullname" .) -}}
{{- $handedOver := false -}}
{{- range dig "metadata" "managedFields" list $deployment -}}
{{- if and (eq .manager "helm") (eq .operation "Apply") -}}
{{- $handedOver = not (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") -}}
{{- end -}}
{{- end -}}
{{- if and $deployment (not $handedOver) -}}
{{- $deployment.spec.replicas -}}
{{- end -}}
{{- end -}}
{{- end -}}

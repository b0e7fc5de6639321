{{/* The configuration of nodes and of the SNMP agent: what stands under `config`, and what the chart knows. */}}

{{- define "parley.domains" -}}
{{- $names := list -}}
{{- range dig "domains" (list "localhost") .Values.config -}}
{{- $names = append $names (kindIs "string" . | ternary . (dig "name" "" (kindIs "map" . | ternary . dict))) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- define "parley.keyspace" -}}
{{- $keyspace := dict "url" .Values.redis.url -}}
{{- if .Values.redis.trial.enabled -}}
{{- $_ := set $keyspace "url" (printf "redis://%s-redis:6379" (include "parley.fullname" .)) -}}
{{- end -}}
{{- if .Values.redis.passwordSecret.name -}}
{{- $_ := set $keyspace "passwordFile" (printf "/run/parley/redis/%s" .Values.redis.passwordSecret.key) -}}
{{- end -}}
{{- toJson $keyspace -}}
{{- end -}}

{{- define "parley.clusterSecretFile" -}}
/run/parley/cluster/{{ .Values.cluster.secret.key }}
{{- end -}}

{{/* Addresses as `listen` has them; none where the port is 0: (list . port). */}}
{{- define "parley.addresses" -}}
{{- $port := index . 1 | int -}}
{{- if $port -}}
{{- list (dict "host" (index . 0).Values.listenHost "port" $port) | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{- define "parley.clientAddresses" -}}
{{- $proxy := (index . 0).Values.clients.proxyProtocol -}}
{{- $addresses := list -}}
{{- range include "parley.addresses" . | fromJsonArray -}}
{{- $addresses = append $addresses (set . "proxyProtocol" $proxy) -}}
{{- end -}}
{{- toJson $addresses -}}
{{- end -}}

{{/* parley.yaml of the nodes. */}}
{{- define "parley.configuration" -}}
{{- $fullname := include "parley.fullname" . -}}
{{- $c2s := include "parley.clientAddresses" (list . .Values.clients.starttls) | fromJsonArray -}}
{{- if .Values.clients.proxyProtocol -}}
{{- /* For those who come without the load balancer, as `helm test` does: a listener has the header from all or from none. */ -}}
{{- $c2s = append $c2s (dict "host" .Values.listenHost "port" 15222 "proxyProtocol" false) -}}
{{- end -}}
{{- $hosts := list (printf "%s-http" $fullname) (printf "%s-http.%s" $fullname .Release.Namespace) (printf "%s-http.%s.svc" $fullname .Release.Namespace) -}}
{{- $own := dict
  "listen" (dict
    "c2s" $c2s
    "c2sTls" (include "parley.clientAddresses" (list . .Values.clients.tls) | fromJsonArray)
    "s2s" (include "parley.addresses" (list . .Values.federation.starttls) | fromJsonArray)
    "s2sTls" (include "parley.addresses" (list . .Values.federation.tls) | fromJsonArray)
    "components" (include "parley.addresses" (list . .Values.components.port) | fromJsonArray)
    "http" (include "parley.addresses" (list . 5280) | fromJsonArray))
  "keyspace" (include "parley.keyspace" . | fromJson)
  "cluster" (dict "secretFile" (include "parley.clusterSecretFile" .))
  "admin" (dict "socket" "/var/lib/parley/parley.sock")
  "drain" (dict "seconds" .Values.drain.seconds)
  "http" (dict "allowedHosts" (concat $hosts (dig "http" "allowedHosts" list .Values.config)))
-}}
{{- if include "parley.tlsSecret" . -}}
{{- $_ := set $own "tls" (dict "certificate" "/run/parley/tls/tls.crt" "key" "/run/parley/tls/tls.key") -}}
{{- end -}}
{{- $given := deepCopy .Values.config -}}
{{- /* The rest of it is for the agent, whose passwords nodes have no use for. */ -}}
{{- if $given.snmp -}}
{{- $_ := set $given "snmp" (pick $given.snmp "associations" "mostAssociations") -}}
{{- end -}}
{{- mergeOverwrite $given $own | toYaml -}}
{{- end -}}

{{/* parley.yaml of the SNMP agent. */}}
{{- define "parley.agentConfiguration" -}}
{{- $snmp := dict "host" .Values.listenHost "port" 1161 "metrics" (include "parley.addresses" (list . 9116) | fromJsonArray) -}}
{{- if .Values.snmp.agentx.enabled -}}
{{- $_ := set $snmp "agentx" "127.0.0.1:1705" -}}
{{- end -}}
{{- $given := pick (deepCopy .Values.config) "snmp" "log" "audit" -}}
{{- $own := dict
  "domains" (include "parley.domains" . | fromJsonArray)
  "keyspace" (include "parley.keyspace" . | fromJson)
  "cluster" (dict "secretFile" (include "parley.clusterSecretFile" .))
  "snmp" $snmp
-}}
{{- mergeOverwrite $given $own | toYaml -}}
{{- end -}}

{{/* How long a node may take to go, from the moment that it is told, in seconds. */}}
{{- define "parley.goingSeconds" -}}
{{- add .Values.drain.preStopSeconds .Values.drain.seconds -}}
{{- end -}}

{{- define "parley.minReadySeconds" -}}
{{- default (include "parley.goingSeconds" . | int) (.Values.rollout.minReadySeconds | int) -}}
{{- end -}}

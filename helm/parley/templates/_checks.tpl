{{/* What the schema of the values cannot say. */}}
{{- define "parley.checks" -}}
{{- $v := .Values -}}
{{- if and (not $v.redis.url) (not $v.redis.trial.enabled) -}}
{{- fail "redis.url is missing: where the state of the nodes is. To try it, set redis.trial.enabled=true." -}}
{{- end -}}
{{- if and $v.redis.url $v.redis.trial.enabled -}}
{{- fail "redis.url and redis.trial.enabled exclude each other: keep one of the two." -}}
{{- end -}}
{{- if not $v.cluster.secret.name -}}
{{- fail "cluster.secret.name is missing. Make the Secret: kubectl create secret generic parley-cluster --from-literal=secret=$(openssl rand -hex 32), and set cluster.secret.name=parley-cluster." -}}
{{- end -}}
{{- if and $v.clients.proxyProtocol (not (dig "proxyProtocol" "trustedNetworks" list $v.config)) -}}
{{- fail "config.proxyProtocol.trustedNetworks is missing: clients.proxyProtocol needs the addresses of the load balancer, and would cut everybody." -}}
{{- end -}}
{{- if and $v.tls.certificate.enabled (not $v.tls.certificate.issuerRef.name) -}}
{{- fail "tls.certificate.issuerRef.name is missing: who signs the certificate." -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) -}}
{{- fail "gateway.parentRefs is missing: the Gateways that the routes belong to." -}}
{{- end -}}
{{- if $v.autoscaling.enabled -}}
{{- if lt (int $v.autoscaling.maxReplicas) (int $v.autoscaling.minReplicas) -}}
{{- fail "autoscaling.maxReplicas is less than autoscaling.minReplicas." -}}
{{- end -}}
{{- if and (eq $v.autoscaling.by "keda") (not $v.autoscaling.prometheusUrl) -}}
{{- fail "autoscaling.prometheusUrl is missing: where KEDA finds Prometheus." -}}
{{- end -}}
{{- end -}}
{{- if $v.snmp.enabled -}}
{{- if and (eq $v.snmp.service.type "LoadBalancer") (not $v.snmp.service.loadBalancerSourceRanges) -}}
{{- fail "snmp.service.loadBalancerSourceRanges is missing: SNMP is for managers alone. Name their networks." -}}
{{- end -}}
{{- if $v.snmp.agentx.enabled -}}
{{- if not $v.snmp.agentx.image.repository -}}
{{- fail "snmp.agentx.image.repository is missing: an image with Net-SNMP's snmpd." -}}
{{- end -}}
{{- if not (or $v.snmp.agentx.image.tag $v.snmp.agentx.image.digest) -}}
{{- fail "snmp.agentx.image.tag is missing: which image with snmpd." -}}
{{- end -}}
{{- if not $v.snmp.agentx.configSecret.name -}}
{{- fail "snmp.agentx.configSecret.name is missing: the Secret with snmpd.conf." -}}
{{- end -}}
{{- else if not (or (dig "snmp" "users" list $v.config) (dig "snmp" "communities" list $v.config)) -}}
{{- fail "config.snmp.users is missing: nobody may ask the SNMP agent, since there is no default community." -}}
{{- end -}}
{{- end -}}
{{- end -}}

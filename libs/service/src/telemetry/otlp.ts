import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';

/**
 * Exporters of OTLP over HTTP. Imported only where an endpoint is configured: the libraries behind it are a tenth of all modules that a
 * service loads, and a stream waits for the start of its gateway.
 */
export function otlpExporters(endpoint: string): { traces: OTLPTraceExporter; metrics: OTLPMetricExporter } {
  return {
    traces: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }),
    metrics: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` }),
  };
}

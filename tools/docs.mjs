// Writes the pages that are made from code: docs/configuration.md from the schemas, docs/metrics.md from the definitions.
// `npm run docs`; with `--check` it writes nothing and fails when a page is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { RTP_CHANNEL_METRICS, rtpChannelConfig } from '../apps/rtp-channel/src/index.ts';
import { SRTLA_GATEWAY_METRICS, srtlaGatewayConfig } from '../apps/srtla-gateway/src/index.ts';
import {
  commonConfig,
  configTable,
  CONTROL_METRICS,
  prometheusName,
  SERVICE_METRICS,
  THREAD_METRICS,
} from '../libs/service/src/index.ts';

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');

const configuration = `# Configuration

Made from the schemas by \`npm run docs\`; do not edit. A key is set in the YAML file that \`--config\` names, by its path, or in
the environment, which wins. A value that is not allowed stops the start with one line that says so (exit status 78).

## Every service

${configTable(z.strictObject(commonConfig))}
## rtp-channel

${configTable(z.strictObject(rtpChannelConfig))}
## srtla-gateway

${configTable(z.strictObject(srtlaGatewayConfig))}`;

function metricTable(definitions) {
  const rows = Object.values(definitions).map((metric) => {
    const attributes = (metric.attributes ?? []).map((name) => `\`${name}\``).join(', ');
    return `| \`${metric.name}\` | \`${prometheusName(metric)}\` | ${metric.kind} | \`${metric.unit}\` | ${attributes} | ${metric.description} |`;
  });
  return ['| name | in Prometheus | kind | unit | attributes | |', '|---|---|---|---|---|---|', ...rows, ''].join('\n');
}

const metrics = `# Metrics

Made from the definitions in code by \`npm run docs\`; do not edit. Served as Prometheus text at \`/metrics\` of the admin port and
sent by OTLP where \`telemetry.otlpEndpoint\` is set. No metric has the id of a session as an attribute.

## Every service

${metricTable(SERVICE_METRICS)}
${metricTable(CONTROL_METRICS)}
## Every service with media threads

${metricTable(THREAD_METRICS)}
## rtp-channel

${metricTable(RTP_CHANNEL_METRICS)}
## srtla-gateway

${metricTable(SRTLA_GATEWAY_METRICS)}`;

const check = process.argv.includes('--check');
for (const [name, text] of Object.entries({ 'configuration.md': configuration, 'metrics.md': metrics })) {
  const file = join(docs, name);
  if (!check) {
    writeFileSync(file, text);
    console.log(`wrote docs/${name}`);
  } else if (readFileSync(file, 'utf8') !== text) {
    console.error(`docs/${name} is stale: npm run docs`);
    process.exitCode = 1;
  }
}

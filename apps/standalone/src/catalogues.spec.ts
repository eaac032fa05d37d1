import { expect, test } from '@jest/globals';
import { RTP_CHANNEL_METRICS } from '@mediaplane/rtp-channel';
import { CONTROL_METRICS, SERVICE_METRICS, THREAD_METRICS, prometheusName } from '@mediaplane/service';
import { SRTLA_GATEWAY_METRICS } from '@mediaplane/srtla-gateway';

test.each([
  ['rtp-channel', RTP_CHANNEL_METRICS],
  ['srtla-gateway', SRTLA_GATEWAY_METRICS],
])('of the metrics of %s no two share a name, in OpenTelemetry or in Prometheus', (_, own) => {
  const all = [SERVICE_METRICS, CONTROL_METRICS, THREAD_METRICS, own].flatMap((each) => Object.values(each));
  for (const names of [all.map(({ name }) => name), all.map(prometheusName)]) {
    expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([]);
  }
});

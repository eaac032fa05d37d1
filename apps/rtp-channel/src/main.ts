import { runServices } from '@mediaplane/service';
import { startRtpChannel } from './service-spec.ts';

await runServices(async (options) => [await startRtpChannel(options)]);

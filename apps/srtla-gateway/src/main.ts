import { runServices } from '@mediaplane/service';
import { startSrtlaGateway } from './service-spec.ts';

await runServices(async (options) => [await startSrtlaGateway(options)]);

import type { DynamicModule } from '@nestjs/common';
import { RtpChannel } from './rtp-channel.ts';
import type { RtpChannelRuntime } from './rtp-channel.ts';

/** The Nest shell: one provider, which Nest starts and ends. */
export class RtpChannelModule {
  static register(runtime: RtpChannelRuntime): DynamicModule {
    return {
      module: RtpChannelModule,
      providers: [{ provide: RtpChannel, useFactory: () => RtpChannel.start(runtime) }],
      exports: [RtpChannel],
    };
  }
}

import { NetError, parseInterfaces } from '@mediaplane/net';
import type { NetInterface, UdpSockets } from '@mediaplane/net';
import type { CommonConfig } from './common-config.ts';
import { ConfigError } from './load-config.ts';

/** As configured, where empty addresses mean those before them. @throws NetError invalid-interfaces */
export function netInterfaces(configured: CommonConfig['net']['interfaces']): NetInterface[] {
  return parseInterfaces(
    configured.map(({ name, bindAddress, advertisedAddress, privateAddress }) => ({
      name,
      bindAddress,
      advertisedAddress: advertisedAddress === '' ? bindAddress : advertisedAddress,
      ...(privateAddress === '' ? {} : { privateAddress }),
    })),
  );
}

/** Binds a socket on each, so that an address which is not this machine's stops the start and not every call. @throws ConfigError */
export async function proveInterfaces(interfaces: readonly NetInterface[], sockets: UdpSockets): Promise<void> {
  for (const [index, { bindAddress }] of interfaces.entries()) {
    try {
      sockets.close(await sockets.open({ address: bindAddress, port: 0 }));
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      const why =
        error.code === 'address-not-available'
          ? 'must be an address of this machine'
          : `cannot be bound: ${error.message}`;
      throw new ConfigError(`configuration: net.interfaces[${index}].bindAddress = "${bindAddress}": ${why}`);
    }
  }
}

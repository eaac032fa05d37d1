import { readFile } from 'node:fs/promises';
import { routeOf } from '@mediaplane/net';
import type { NetImplementation } from '@mediaplane/net';
import { gatewayOf, routeFinding } from './route-problem.ts';
import type { RouteProblem } from './route-problem.ts';
import { deviceOf, familyOf } from './source-addresses.ts';

/** Asks the system's routing tables, where it answers. */
export function systemRouteProblem(implementation: NetImplementation): RouteProblem {
  return async (question) => {
    const { source, receiver, interfaces } = question;
    const route = routeOf(source, receiver, implementation);
    if (route === undefined) return '';
    const home = deviceOf(source, interfaces);
    const gateway = home === undefined || familyOf(source) === 6 ? undefined : gatewayOf(home, await mainTable());
    return routeFinding(question, route.device, gateway);
  };
}

async function mainTable(): Promise<string> {
  try {
    return await readFile('/proc/net/route', 'latin1');
  } catch {
    return '';
  }
}

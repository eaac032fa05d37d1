import type { AdminSources } from '../admin/admin-server.ts';
import type { Foundation } from './foundation.ts';
import type { Membership } from './membership.ts';
import type { ServiceParts } from './service-spec.ts';

/** What the admin server tells of a service. */
export function adminPages(
  service: { readonly name: string; readonly version: string },
  foundation: Foundation,
  membership: Membership<unknown, unknown>,
  parts: ServiceParts,
): AdminSources {
  const { metrics, bus, loopLag, capacity, tenant, advice, instanceId } = foundation;
  const { plane, drain, addresses, serving } = membership;
  const startedMs = performance.now();
  return {
    metrics: () => metrics.prometheusText(),
    unhealthy: () => parts.unhealthy?.(),
    unready: () => (serving() ? undefined : drain.state === 'serving' ? 'not in the fleet' : drain.state),
    status: () => ({
      service: service.name,
      version: service.version,
      instanceId,
      state: serving() ? 'serving' : drain.state,
      uptimeSeconds: Math.round((performance.now() - startedMs) / 1000),
      addresses,
      bus: { system: bus.system, state: bus.state },
      capacity: { ...tenant.capacity(), staticLimit: capacity.staticLimit },
      loopLagMs: { mean: loopLag.meanMs, max: loopLag.maxMs },
      drain: drain.status(),
      advice,
      fleet: plane.fleet.list({ service: service.name }),
      ...parts.status?.(),
    }),
  };
}

import { headers as makeHeaders } from '@nats-io/transport-node';
import type { MsgHdrs } from '@nats-io/transport-node';
import type { BusHeaders } from './bus.ts';

export function toNats(headers: BusHeaders): MsgHdrs {
  const native = makeHeaders();
  for (const [name, value] of Object.entries(headers)) native.set(name, value);
  return native;
}

export function fromNats(native: MsgHdrs | undefined): BusHeaders {
  if (native === undefined) return {};
  const headers: Record<string, string> = {};
  for (const name of native.keys()) headers[name] = native.get(name);
  return headers;
}

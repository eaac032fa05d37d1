/** `mediaplane.srtla.v1`, as a namespace: its `Group`, `Link…` and `SnapshotEnd` would be other things elsewhere. */
export * from './gen/mediaplane/srtla/v1/event.ts';
export * from './gen/mediaplane/srtla/v1/group.ts';
export * from './gen/mediaplane/srtla/v1/ingest_authorizer_service.ts';
export * from './gen/mediaplane/srtla/v1/listener.ts';
export * from './gen/mediaplane/srtla/v1/record.ts';
export * from './gen/mediaplane/srtla/v1/srtla_gateway_service.ts';
export * from './gen/mediaplane/srtla/v1/statistics.ts';
export * from './gen/mediaplane/srtla/v1/uplink.ts';

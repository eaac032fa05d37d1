/** The shape of what ts-proto generates with `outputServices=generic-definitions`, as far as this library needs it. */

export interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

export interface MethodDefinition {
  readonly name: string;
  // Method parameters are bivariant, so that any message type fits.
  readonly requestType: MessageType<never> | MessageType<unknown>;
  readonly requestStream: boolean;
  readonly responseType: MessageType<never> | MessageType<unknown>;
  readonly responseStream: boolean;
}

export interface ServiceDefinition {
  /** `FleetService` */
  readonly name: string;
  /** `mediaplane.fleet.v1.FleetService` */
  readonly fullName: string;
  readonly methods: Readonly<Record<string, MethodDefinition>>;
}

export type RequestOf<M extends MethodDefinition> = M['requestType'] extends MessageType<infer T> ? T : never;
export type ResponseOf<M extends MethodDefinition> = M['responseType'] extends MessageType<infer T> ? T : never;

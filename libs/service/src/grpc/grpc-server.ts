import { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Router } from '@mediaplane/control';
import { fileDescriptors } from '@mediaplane/proto';
import { HealthImplementation } from 'grpc-health-check';
import type { CommonConfig } from '../config/common-config.ts';
import { ConfigError } from '../config/load-config.ts';
import { hostPort } from '../host-port.ts';
import type { ServedApi } from './api.ts';
import { bindApi } from './bind-api.ts';
import type { CallEnvironment } from './call-scope.ts';
import { bearerToken, bearerTokenInterceptor, serverCredentials } from './credentials.ts';

/** How long calls that are under way may take to end when the server stops. */
const STOP_GRACE_MS = 2_000;

/** The gRPC server of one service: its APIs, health and reflection, on one port. */
export class GrpcServer {
  private readonly server: Server;
  private readonly health = new HealthImplementation();
  private names: readonly string[] = [];
  private readonly config: CommonConfig['grpc'];
  private boundPort = 0;

  constructor(config: CommonConfig['grpc']) {
    this.config = config;
    const token = bearerToken(config);
    this.server = new Server({
      'grpc.max_receive_message_length': config.maxMessageBytes,
      'grpc.keepalive_time_ms': config.keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': config.keepaliveTimeoutMs,
      ...(token === '' ? {} : { interceptors: [bearerTokenInterceptor(token)] }),
    });
    this.health.addToServer(this.server);
    this.setServing(false);
  }

  /** Adds APIs; those that only instances call among themselves are left out. */
  serve(apis: readonly ServedApi[], router: Router, environment: CallEnvironment): void {
    const served = apis.filter((api) => !api.busOnly);
    for (const api of served) bindApi(this.server, api, router, environment);
    this.names = served.map((api) => api.definition.fullName);
    this.setServing(false);
    if (this.config.reflection) this.addReflection();
  }

  /** The port it listens on; 0 before `listen`. */
  get port(): number {
    return this.boundPort;
  }

  /** Health of the server as a whole ('') and of each of its services. */
  setServing(serving: boolean): void {
    for (const name of ['', ...this.names]) this.health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** Makes health answer for this instance by its id, so that others can tell it from one that took over its address. */
  identifyAs(instanceId: string): void {
    this.health.setStatus(instanceId, 'SERVING');
  }

  /** Resolves with the bound port. Rejects with ConfigError when it cannot be bound, or for unusable certificates. */
  async listen(): Promise<number> {
    const { bindAddress, port } = this.config;
    const credentials = await serverCredentials(this.config);
    this.boundPort = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(hostPort(bindAddress, port), credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(cannotListen(this.config, error)),
      );
    });
    return this.boundPort;
  }

  /** Takes no more calls, gives those under way a moment, then ends them. */
  async stop(): Promise<void> {
    this.setServing(false);
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => this.server.forceShutdown(), STOP_GRACE_MS);
      this.server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }

  private addReflection(): void {
    const fileDescriptorProtos = fileDescriptors().map((bytes) => Buffer.from(bytes));
    // The library takes proto-loader's package definition and reads only the descriptors in it.
    const image = { format: 'Protocol Buffer 3 DescriptorProto' as const, type: {}, fileDescriptorProtos };
    new ReflectionService({ image }, { services: [...this.names] }).addToServer(this.server);
  }
}

/** grpc-js says no more than that none of the addresses could be bound. */
function cannotListen({ bindAddress, port }: CommonConfig['grpc'], { message }: Error): ConfigError {
  return new ConfigError(
    `configuration: grpc.port = ${port}: must be free, and grpc.bindAddress ${bindAddress} an address of this machine (${message})`,
  );
}

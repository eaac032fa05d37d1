import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { srtla } from '@mediaplane/proto';

type Decide = (request: srtla.AuthorizeIngestRequest) => srtla.AuthorizeIngestResponse;

/** An integrator's IngestAuthorizerService. */
export class TestAuthorizer implements AsyncDisposable {
  readonly requests: srtla.AuthorizeIngestRequest[] = [];
  /** As each request showed it. */
  readonly tokens: string[] = [];
  readonly #server = new Server();
  target = '';

  static async start(decide: Decide): Promise<TestAuthorizer> {
    const authorizer = new TestAuthorizer();
    const { authorizeIngest } = srtla.IngestAuthorizerServiceDefinition.methods;
    const path = `/${srtla.IngestAuthorizerServiceDefinition.fullName}/${authorizeIngest.name}`;
    authorizer.#server.register(
      path,
      (
        call: ServerUnaryCall<srtla.AuthorizeIngestRequest, srtla.AuthorizeIngestResponse>,
        done: sendUnaryData<srtla.AuthorizeIngestResponse>,
      ) => {
        authorizer.requests.push(call.request);
        authorizer.tokens.push(String(call.metadata.get('authorization')[0]));
        done(null, decide(call.request));
      },
      (response) => Buffer.from(authorizeIngest.responseType.encode(response).finish()),
      (bytes) => authorizeIngest.requestType.decode(bytes),
      'unary',
    );
    const port = await new Promise<number>((resolve, reject) => {
      authorizer.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    authorizer.target = `127.0.0.1:${port}`;
    return authorizer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

export { Any } from './gen/google/protobuf/any.ts';
export { BadRequest, BadRequest_FieldViolation, ErrorInfo, RetryInfo } from './gen/google/rpc/error_details.ts';
export { Status } from './gen/google/rpc/status.ts';

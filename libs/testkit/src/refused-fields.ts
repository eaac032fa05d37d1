interface Refusal {
  readonly code: string;
  readonly fieldViolations: readonly { readonly field: string }[];
}

/** Which fields `work` refuses, as a ServiceError with code INVALID_ARGUMENT names them; none when it does not throw. Any other error goes on. */
export function refusedFields(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (isRefusal(error)) return error.fieldViolations.map(({ field }) => field);
    throw error;
  }
  return [];
}

function isRefusal(error: unknown): error is Refusal {
  const { code, fieldViolations } = (error ?? {}) as Partial<Refusal>;
  return code === 'INVALID_ARGUMENT' && Array.isArray(fieldViolations);
}

/** What this package throws; each message says what was expected, what was got, what to do. */

/** The root of all errors of this package. */
export class BodyPixError extends Error {
  override name = 'BodyPixError';
}

/** An argument is out of range. */
export class InvalidArgumentError extends BodyPixError {
  override name = 'InvalidArgumentError';
}

/** An image cannot be used. */
export class ImageError extends BodyPixError {
  override name = 'ImageError';
}

/** A model file is missing, broken or of another kind. */
export class ModelError extends BodyPixError {
  override name = 'ModelError';
}

/** No backend can run here, or the one that was asked for cannot. */
export class BackendError extends BodyPixError {
  override name = 'BackendError';
}

const KINDS = { BodyPixError, InvalidArgumentError, ImageError, ModelError, BackendError };

/** An error as it crosses from the worker to the page. */
export interface PlainError {
  name: string;
  message: string;
}

/** What is left of any thrown value for the other side. */
export function toPlainError(error: unknown): PlainError {
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

/** The error again, of its own class if it is one of ours. */
export function fromPlainError(plain: PlainError): Error {
  const kind = KINDS[plain.name as keyof typeof KINDS] as typeof BodyPixError | undefined;
  return new (kind ?? BodyPixError)(plain.message);
}

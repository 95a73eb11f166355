import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { Finding } from './finding.ts';
import { describeError } from './describe-error.ts';
import type { TextProblem } from './formats.ts';
import { formats } from './formats.ts';
import type { Schema } from './schema.ts';
import { closeSchema } from './schema.ts';
import { compileWrap } from './wrap-single-items.ts';

export interface Validation {
  /** The value with single items in lists and defaults filled in; valid if there are no findings. */
  readonly value: unknown;
  readonly findings: readonly Finding[];
}

export type Validate = (value: unknown) => Validation;

/**
 * Compiles the composed schema of a kind. Validation finds everything at once, converts nothing (`"8080"` is no number)
 * and may change `value` itself by filling in defaults.
 */
export function compileValidator(schema: Schema): Validate {
  const wrap = compileWrap(schema);
  const check: ValidateFunction = createAjv().compile(closeSchema(schema));
  return (written) => {
    const value = wrap === undefined ? written : wrap(written);
    if (check(value) === true) return { value, findings: [] };
    return { value, findings: describeAll(check.errors ?? [], value) };
  };
}

function describeAll(errors: readonly ErrorObject[], value: unknown): readonly Finding[] {
  const unknownAt = new Set(
    errors.filter((error) => error.keyword === 'additionalProperties').map((error) => error.instancePath),
  );
  const counts = new Set(['minProperties', 'maxProperties', 'x-mgateway-one-of']);
  return (
    errors
      // Where a field is misspelt, it is not worth saying that the right one is missing.
      .filter((error) => !(counts.has(error.keyword) && unknownAt.has(error.instancePath)))
      .slice(0, 100)
      .map((error) => describeError(error, value))
  );
}

function createAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    ownProperties: true,
    // Gives the schema and the value along with an error; both are in memory anyway.
    verbose: true,
    // The schemas are ours and tested; checking them against the meta-schema costs more than half of the start.
    validateSchema: false,
    meta: false,
    addUsedSchema: false,
    strict: 'log',
    strictRequired: false,
    logger: false,
  });
  ajv.addVocabulary(['x-kubernetes-preserve-unknown-fields', 'x-mgateway-wrap-one']);
  ajv.addKeyword({
    keyword: 'x-mgateway-one-of',
    type: 'object',
    schemaType: 'array',
    validate: (names: readonly string[], value: object) =>
      names.filter((name) => Object.hasOwn(value, name)).length === 1,
  });
  ajv.addKeyword({
    keyword: 'x-mgateway-format',
    type: 'string',
    schemaType: 'string',
    compile: (name: string) => {
      const checkText = formats[name];
      if (checkText === undefined) throw new Error(`schemas name an unknown format: ${name}`);
      const checkFormat = (text: string): boolean => {
        const problem: TextProblem | undefined = checkText(text);
        checkFormat.errors =
          problem === undefined
            ? []
            : [{ keyword: 'x-mgateway-format', message: problem.message, params: problem }];
        return problem === undefined;
      };
      checkFormat.errors = [] as Partial<ErrorObject>[];
      return checkFormat;
    },
    errors: true,
  });
  return ajv;
}

/** Values of Outputs where a program needs them at once. */
import { type Input, type Output, output } from '@pulumi/pulumi';

/** The value of an Output of the configuration, which is known in a preview too. */
export function resolved<T>(value: Output<T> | undefined): Promise<T | undefined> {
  return new Promise((resolve) =>
    value ? value.apply(resolve as (value: unknown) => void) : resolve(undefined),
  );
}

/** What no apply tells of, and every Output has. */
interface Knowable {
  readonly isKnown: Promise<boolean>;
}

/** The value, or that it is not known yet: a preview does not know what is still to be made. */
export async function known(
  value: Input<string>,
): Promise<{ readonly value: string } | { readonly unknown: true }> {
  const whole = output(value);
  if (!(await (whole as unknown as Knowable).isKnown)) return { unknown: true };
  return { value: (await resolved(whole))! };
}

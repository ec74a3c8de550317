import { type InputHTMLAttributes, type Ref, useId } from 'react'

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string
  /** What is wrong with the value; empty when nothing is. */
  readonly problem: string
  /** What to enter, shown while nothing is wrong. */
  readonly hint?: string
  readonly ref?: Ref<HTMLInputElement>
}

/** A labelled text field that says below itself what is wrong. */
export function Field({ label, problem, hint = '', ...input }: FieldProps) {
  const id = useId()
  const text = problem === '' ? hint : problem
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        aria-invalid={problem !== ''}
        aria-describedby={text === '' ? undefined : `${id}-text`}
      />
      {text === '' ? null : (
        <p id={`${id}-text`} className={problem === '' ? 'hint' : 'problem'}>
          {text}
        </p>
      )}
    </div>
  )
}

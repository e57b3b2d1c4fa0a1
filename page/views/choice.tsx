/** One of a few, side by side. */
interface ChoiceProps<T extends string | number> {
  readonly legend: string;
  readonly name: string;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

export function Choice<T extends string | number>({ legend, name, options, value, onChange }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div>
        {options.map(([one, label]) => (
          <label key={one} class={one === value ? "is-on" : ""}>
            <input type="radio" name={name} value={one} checked={one === value} onChange={() => onChange(one)} />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

// The fields of the form that changes a method: a label, a control, and what it wants.

import { Code, Select, Text, TextField } from '@radix-ui/themes';
import { expectation, valueOf, type Entries, type Field, type NumberField } from './method-form.ts';
import type { ChoiceInfo } from './methods.ts';

interface FieldsProps {
  readonly fields: readonly Field[];
  readonly entries: Entries;
  readonly onEntry: (name: string, text: string) => void;
}

export function MethodFields({ fields, entries, onEntry }: FieldsProps) {
  return (
    <div className="method-fields">
      {fields.map((field) => {
        const text = entries[field.name] ?? '';
        const change = (entry: string): void => onEntry(field.name, entry);
        return field.kind === 'number' ? (
          <NumberEntry key={field.name} field={field} text={text} onText={change} />
        ) : (
          <ChoiceEntry key={field.name} field={field} text={text} onText={change} />
        );
      })}
    </div>
  );
}

interface EntryProps<F extends Field> {
  readonly field: F;
  readonly text: string;
  readonly onText: (text: string) => void;
}

const idOf = ({ name }: Field): string => `method-${name}`;

function NumberEntry({ field, text, onText }: EntryProps<NumberField>) {
  const id = idOf(field);
  const wrong = valueOf(field, text) === null;
  const { symbol, integer, description } = field;
  return (
    <div>
      <Text as="label" htmlFor={id} size="2" weight="medium">
        <Code variant="ghost">{field.name}</Code> {symbol}
      </Text>
      <TextField.Root
        id={id}
        type="number"
        step={integer ? 1 : 'any'}
        value={text}
        color={wrong ? 'red' : 'teal'}
        aria-invalid={wrong}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onText(event.target.value)}
      />
      <Text as="p" size="1" color="gray" id={`${id}-hint`}>
        {description} <Text color={wrong ? 'red' : 'gray'}>Expected: {expectation(field)}.</Text>
      </Text>
    </div>
  );
}

function ChoiceEntry({ field, text, onText }: EntryProps<ChoiceInfo>) {
  const id = idOf(field);
  return (
    <div>
      <Text as="label" htmlFor={id} size="2" weight="medium">
        <Code variant="ghost">{field.name}</Code>
      </Text>
      <Select.Root value={text} onValueChange={onText}>
        <Select.Trigger id={id} aria-describedby={`${id}-hint`} />
        <Select.Content position="popper">
          {field.choices.map((choice) => (
            <Select.Item key={choice} value={choice}>
              {choice}
            </Select.Item>
          ))}
        </Select.Content>
      </Select.Root>
      <Text as="p" size="1" color="gray" id={`${id}-hint`}>
        {field.description}
      </Text>
    </div>
  );
}

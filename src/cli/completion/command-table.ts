import type { Argument, Command, Option } from 'commander';

/** What may stand for an option's value or for an argument: words, a file, or anything. */
export type Values = readonly string[] | 'file' | 'directory' | 'anything';

/** A command as a shell completes it: what its help shows. */
export interface CommandEntry {
  /** The words behind `signet`; none for `signet` itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionEntry[];
  /** What its arguments are; `undefined` where there is none. */
  readonly argument: Values | undefined;
}

/** An option of a command. */
export interface OptionEntry {
  /** `-h`, `--help` */
  readonly flags: readonly string[];
  readonly description: string;
  /** `undefined` for an option without a value. */
  readonly value: Values | undefined;
}

/** Every command that help lists, `signet` first. */
export function commandTable(command: Command, path: readonly string[] = []): CommandEntry[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const [argument] = command.registeredArguments;
  return [
    {
      path,
      commands: subcommands.map((sub) => ({ name: sub.name(), description: sub.description() })),
      options: help.visibleOptions(command).map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag !== undefined),
        description: option.description,
        value: option.required || option.optional ? valuesOf(option) : undefined,
      })),
      argument: argument === undefined ? undefined : valuesOf(argument),
    },
    ...command.commands.flatMap((sub) => commandTable(sub, [...path, sub.name()])),
  ];
}

/** Choices are words; `<file>` and `<path>` are files, by the name that help shows. */
function valuesOf(target: Option | Argument): Values {
  if (target.argChoices !== undefined) return target.argChoices;
  const name = 'flags' in target ? (/[<[](\w+)/.exec(target.flags)?.[1] ?? '') : target.name();
  if (name === 'directory') return name;
  return name === 'file' || name === 'path' ? 'file' : 'anything';
}

import type { Argument, Command, Option } from 'commander';

/** The values that an option or an argument accepts: words, a file, a directory, or anything. */
export type Values = readonly string[] | 'file' | 'directory' | 'anything';

/** A command for shell completion, as its help shows it. */
export interface CommandEntry {
  /** The words after `signet`; empty for `signet` itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionEntry[];
  /** Values of its first argument; `undefined` for a command without arguments. */
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

/** Returns all commands that help lists, `signet` first. */
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

/**
 * Returns the choices, if there are any. Otherwise the name in help decides: `<file>` and `<path>` are files,
 * `<directory>` is a directory.
 */
function valuesOf(target: Option | Argument): Values {
  if (target.argChoices !== undefined) return target.argChoices;
  const name = 'flags' in target ? (/[<[](\w+)/.exec(target.flags)?.[1] ?? '') : target.name();
  if (name === 'directory') return name;
  return name === 'file' || name === 'path' ? 'file' : 'anything';
}

import { Command, InvalidArgumentError, type ErrorOptions } from 'commander';
import { probableMatch, oneLine } from '../core/text/index.js';
import { CommandError } from './command.error.js';

/** A command whose error messages repeat no values, and suggest the right name. */
export class SignetCommand extends Command {
  override createCommand(name?: string): SignetCommand {
    return new SignetCommand(name);
  }

  /** @throws CommandError always */
  override error(message: string, { code }: ErrorOptions = {}): never {
    throw new CommandError(complaint(this, oneLine(message).replace(/^error: /, ''), code));
  }
}

/**
 * Returns the error message for a command line, without its values: a secret that was passed as an argument must not
 * appear in the log of a CI job. Names of options and commands are repeated if they cannot be a secret. Suggestions are
 * names of existing options and commands.
 */
function complaint(command: Command, text: string, code?: string): string {
  const word = /'(.+)'/.exec(text)?.[1] ?? '';
  switch (code) {
    case 'commander.unknownOption':
      return `unknown option${harmless(word)}${didYouMean(optionsLike(word, command))}`;
    case 'commander.unknownCommand':
      return `unknown command${harmless(word)}${didYouMean(commandsLike(word, command))}`;
    case 'commander.excessArguments':
      return text.replace(/^(too many arguments.*? but got \d+)[^]*/, '$1');
    default:
      // The value of an option or argument: `option '--alg <alg>' argument 'none' is invalid. …`
      return text.replace(/ (argument|value) '[^]*' is invalid/, ' $1 is invalid');
  }
}

/** Returns a word in quotes if it looks like the name of an option or a command. A value after `=` is removed. */
function harmless(word: string): string {
  const [name = '', ...value] = word.split('=');
  if (!/^-{0,2}[a-z][a-z-]{0,19}$/.test(name)) return '';
  return ` '${name}${value.length > 0 ? '=…' : ''}'`;
}

const didYouMean = (names: readonly string[]): string =>
  names.length === 0 ? '' : ` (Did you mean ${names.join(' or ')}?)`;

function optionsLike(word: string, command: Command): string[] {
  const [name = ''] = word.split('=');
  const known = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? []);
  return [probableMatch(name, known) ?? []].flat();
}

/** Suggests a command: of the same group, else of any group, with all words that have to be typed. */
function commandsLike(word: string, group: Command): string[] {
  const own = group.commands.map((command) => command.name());
  const others = everyCommand(rootOf(group)).filter(({ parent }) => parent !== group);
  const name = probableMatch(word, [...own, ...others.map((command) => command.name())]);
  if (name === undefined) return [];
  return own.includes(name)
    ? [name]
    : others.filter((command) => command.name() === name).map(pathOf);
}

const rootOf = (command: Command): Command =>
  command.parent === null ? command : rootOf(command.parent);

const everyCommand = (command: Command): Command[] =>
  command.commands.flatMap((sub) => [sub, ...everyCommand(sub)]);

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** What can have choices: an option or an argument of a command. */
interface Choosing {
  choices(values: readonly string[]): this;
  argParser(parse: (value: string) => string): this;
}

/** Restricts an option or an argument to some words. For a misspelt word the error suggests the right one. */
export const choiceOf = <Target extends Choosing>(
  target: Target,
  words: readonly string[],
): Target =>
  target.choices(words).argParser((word) => {
    if (words.includes(word)) return word;
    const name = probableMatch(word, words);
    throw new InvalidArgumentError(
      `Allowed choices are ${words.join(', ')}.${name === undefined ? '' : ` Did you mean ${name}?`}`,
    );
  });

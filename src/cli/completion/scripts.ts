import type { CommandEntry, OptionEntry, Values } from './command-table.js';

/** The shells with a completion script. */
export type Shell = 'bash' | 'zsh' | 'fish';

/** Returns the completion script of a shell. It contains all commands and options, and starts no process. */
export const renderScript = (shell: Shell, table: readonly CommandEntry[]): string =>
  ({ bash, zsh, fish })[shell](table);

const pathOf = ({ path }: CommandEntry): string => path.join(' ');

/** A string literal of bash and zsh. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The `case` pattern of all commands, with which bash and zsh find the command at the cursor. */
const patterns = (table: readonly CommandEntry[]): string =>
  table.flatMap((entry) => (entry.path.length === 0 ? [] : quoted(pathOf(entry)))).join(' | ');

/**
 * The `case` branches `<path> <option>` that complete the values of options. Options with the same values share a
 * branch.
 */
function valueCases(
  table: readonly CommandEntry[],
  complete: (values: Values) => string,
): readonly string[] {
  const cases = new Map<string, string[]>();
  for (const entry of table)
    for (const { flags, value } of entry.options) {
      if (value === undefined) continue;
      const command = complete(value);
      const same = cases.get(command) ?? [];
      cases.set(command, [...same, ...flags.map((flag) => quoted(`${pathOf(entry)} ${flag}`))]);
    }
  return [...cases].map(([command, names]) => `    (${names.join(' | ')}) ${command}; return ;;\n`);
}

function bash(table: readonly CommandEntry[]): string {
  const complete = (values: Values): string => {
    if (values === 'anything') return 'true';
    if (values === 'file' || values === 'directory') {
      const kind = values === 'file' ? '-f' : '-d';
      // File names may contain blanks.
      return `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY+=($(compgen ${kind} -- "$cur"))`;
    }
    return `COMPREPLY+=($(compgen -W ${quoted(values.join(' '))} -- "$cur"))`;
  };
  const words = table.map((entry) => {
    const { commands, options, argument } = entry;
    const own = [...commands.map(({ name }) => name), ...options.flatMap(({ flags }) => flags)];
    const values = argument === undefined ? '' : `; ${complete(argument)}`;
    return `    (${quoted(pathOf(entry))}) ${complete(own)}${values} ;;\n`;
  });
  return `# Completion of signet for bash. In ~/.bashrc: source <(signet completion bash)
_signet() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at= word i
  # Bash splits --alg=ES256 at the sign.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${at:+$at }\${COMP_WORDS[i]}"
    case "$word" in
      (${patterns(table)}) at=$word ;;
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${valueCases(table, complete).join('')}  esac
  case "$at" in
${words.join('')}  esac
}
complete -F _signet signet
`;
}

function zsh(table: readonly CommandEntry[]): string {
  const complete = (values: Values): string => {
    if (values === 'anything') return '_message value';
    if (values === 'file') return '_files';
    if (values === 'directory') return '_files -/';
    return `compadd -- ${values.map(quoted).join(' ')}`;
  };
  const described = (name: string, description: string): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${description}`);
  const words = table.map((entry) => {
    const { commands, options, argument } = entry;
    const lines = [
      `commands=(${commands.map(({ name, description }) => described(name, description)).join(' ')})`,
      `options=(${options.flatMap(({ flags, description }) => flags.map((flag) => described(flag, description))).join(' ')})`,
      argument === undefined ? [] : complete(argument),
    ].flat();
    return `    (${quoted(pathOf(entry))})\n${lines.map((line) => `      ${line}\n`).join('')}      ;;\n`;
  });
  return `#compdef signet
# Completion of signet for zsh. In ~/.zshrc, after compinit: source <(signet completion zsh)
_signet() {
  local at= word prev=\${words[CURRENT-1]}
  local -a commands options
  for word in \${words[2,CURRENT-1]}; do
    word="\${at:+$at }$word"
    case "$word" in
      (${patterns(table)}) at=$word ;;
    esac
  done
  if [[ \${words[CURRENT]} == --*=* ]]; then
    prev=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  case "$at $prev" in
${valueCases(table, complete).join('')}  esac
  case "$at" in
${words.join('')}  esac
  _describe -t commands command commands
  _describe -o -t options option options
}
if [[ \${funcstack[1]} == _signet ]]; then _signet "$@"; else compdef _signet signet; fi
`;
}

function fish(table: readonly CommandEntry[]): string {
  const literal = (text: string): string =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const complete = (values: Values): string => {
    if (values === 'anything') return '-x';
    if (values === 'file') return '-r -F';
    if (values === 'directory') return "-x -a '(__fish_complete_directories)'";
    return `-x -a ${literal(values.join(' '))}`;
  };
  const option = ({ flags, description, value }: OptionEntry): string =>
    [
      ...flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      ),
      ...(value === undefined ? [] : [complete(value)]),
      `-d ${literal(description)}`,
    ].join(' ');
  const lines = table.flatMap((entry) => {
    const { commands, options, argument } = entry;
    const here = `complete -c signet -n ${literal(`__signet_at ${pathOf(entry)}`.trimEnd())}`;
    return [
      ...commands.map(({ name, description }) => `-a ${name} -d ${literal(description)}`),
      ...(argument === undefined ? [] : [complete(argument).replace('-r ', '')]),
      ...options.map(option),
    ].map((line) => `${here} ${line}\n`);
  });
  const paths = table.flatMap((entry) => (entry.path.length === 0 ? [] : literal(pathOf(entry))));
  return `# Completion of signet for fish. In ~/.config/fish/config.fish: signet completion fish | source
function __signet_at
  set -l at
  for word in (commandline -opc)[2..-1]
    if contains -- (string join ' ' -- $at $word) ${paths.join(' ')}
      set at $at $word
    end
  end
  test "$argv" = "$at"
end
complete -c signet -f
${lines.join('')}`;
}

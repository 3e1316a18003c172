package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A refusal ends a command before it does anything, with a message of its own.
type refusal struct {
	err    error
	status int
	next   string // what to do instead
}

func (e refusal) Error() string { return e.err.Error() }
func (e refusal) Unwrap() error { return e.err }

// usage refuses a wrong use of the command line.
func usage(format string, args ...any) error {
	return refusal{fmt.Errorf(format, args...), exitUsage, ""}
}

// needs checks the number of arguments. missing is what is said when there are too
// few: what is wanted, with an example.
func needs(least, most int, missing string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch n := len(args); {
		case n < least:
			return refusal{errors.New(missing), exitUsage, helpOf(c)}
		case most >= 0 && n > most:
			return refusal{fmt.Errorf("%s takes %s, not %d", c.Name(), atMost(least, most), n),
				exitUsage, helpOf(c)}
		}
		return nil
	}
}

// unlimited is any number of arguments.
const unlimited = -1

// atMost says how many arguments a command takes.
func atMost(least, most int) string {
	switch {
	case most == 0:
		return "no arguments"
	case least < most:
		return "at most " + plural(most, "argument")
	}
	return plural(most, "argument")
}

func helpOf(c *cobra.Command) string {
	return fmt.Sprintf("\"%s --help\" describes it.", c.CommandPath())
}

// flagError says what is wrong with a flag.
func flagError(c *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		value   *pflag.InvalidValueError
		missing *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &unknown):
		if s := unknown.GetSpecifiedShortnames(); s != "" {
			return refusal{fmt.Errorf("%s has no flag -%s", c.Name(), s[:1]), exitUsage, helpOf(c)}
		}
		name := unknown.GetSpecifiedName()
		e := refusal{fmt.Errorf("%s has no flag --%s", c.Name(), name), exitUsage, helpOf(c)}
		if near := nearest(name, flagNames(c)); near != "" {
			e.next = fmt.Sprintf("Did you mean --%s?", near)
		}
		return e
	case errors.As(err, &missing):
		f := missing.GetFlag()
		name, _ := pflag.UnquoteUsage(f)
		return refusal{fmt.Errorf("--%s needs a value: --%s %s", f.Name, f.Name, name), exitUsage, helpOf(c)}
	case errors.As(err, &value):
		return refusal{fmt.Errorf("--%s cannot be %q: %w", value.GetFlag().Name, value.GetValue(), wanted(value)), exitUsage, helpOf(c)}
	}
	return refusal{err, exitUsage, helpOf(c)}
}

// wanted says what value a flag takes.
func wanted(e *pflag.InvalidValueError) error {
	switch e.GetFlag().Value.Type() {
	case "bool":
		return errors.New("it is true or false")
	case "duration":
		return errors.New("it is a time such as 30s, 10m or 1h30m")
	case "int", "float64":
		return errors.New("it is a number")
	}
	return e.Unwrap()
}

func flagNames(c *cobra.Command) []string {
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	c.Flags().VisitAll(add)
	c.InheritedFlags().VisitAll(add)
	return names
}

// noCommand is for arguments of spindle itself: they are no commands.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(root, args[0])
}

// unknownCommand says that there is no such command, and which may be meant.
func unknownCommand(root *cobra.Command, name string) error {
	e := refusal{fmt.Errorf("there is no command %q", name), exitUsage, "\"spindle --help\" lists the commands."}
	if near := root.SuggestionsFor(name); len(near) > 0 {
		e.next = fmt.Sprintf("Did you mean \"spindle %s\"?", strings.Join(near, "\" or \"spindle "))
	}
	return e
}

// nearest returns the name that is spelled most like s, or "".
func nearest(s string, names []string) string {
	const most = 2
	best, found := most+1, ""
	slices.Sort(names)
	for _, n := range names {
		d := distance(s, n)
		if len(s) > most && strings.HasPrefix(n, s) {
			d = 1
		}
		if d < best {
			best, found = d, n
		}
	}
	return found
}

// distance counts the letters to insert, remove or replace between two words
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

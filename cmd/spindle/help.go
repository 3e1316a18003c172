package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// mostHelpWidth keeps the lines of --help readable on a wide terminal.
const mostHelpWidth = 100

// setHelp makes --help fit the width of the terminal.
func setHelp(root *cobra.Command, c *console) {
	width := func() int {
		if w := c.page(c.stdout).width; w > 0 {
			return min(w, mostHelpWidth)
		}
		return defaultWidth
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		w := cmd.OutOrStdout()
		text := cmd.Long
		if text == "" {
			text = cmd.Short + "."
		}
		fmt.Fprintf(w, "%s\n\n", reflow(strings.TrimSpace(text), width()))
		writeUsage(w, cmd, width())
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		writeUsage(cmd.OutOrStderr(), cmd, width())
		return nil
	})
}

// writeUsage writes how a command is used: its form, examples, commands and flags.
func writeUsage(w io.Writer, cmd *cobra.Command, width int) {
	form := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		form = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintf(w, "Usage:\n  %s\n", form)
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	writeCommands(w, cmd)
	for _, part := range []struct{ title, flags string }{
		{"Flags", cmd.LocalFlags().FlagUsagesWrapped(width)},
		{"Flags of all commands", cmd.InheritedFlags().FlagUsagesWrapped(width)},
	} {
		if part.flags != "" {
			fmt.Fprintf(w, "\n%s:\n%s\n", part.title, strings.TrimRight(part.flags, " \n"))
		}
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n\"%s COMMAND --help\" describes a command.\n", cmd.CommandPath())
	}
}

// writeCommands lists the subcommands of a command, group by group.
func writeCommands(w io.Writer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	groups := append(cmd.Groups()[:len(cmd.Groups()):len(cmd.Groups())], &cobra.Group{Title: "Other:"})
	if len(groups) == 1 {
		groups[0].Title = "Commands:"
	}
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s\n", g.Title)
		for _, sub := range cmd.Commands() {
			if sub.GroupID == g.ID && (sub.IsAvailableCommand() || sub.Name() == "help") {
				fmt.Fprintf(w, "  %-*s  %s\n", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
}

// reflow joins the lines of each paragraph and wraps them again. Indented lines
// stay as they are.
func reflow(s string, width int) string {
	var out, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			out = append(out, wrap(strings.Join(paragraph, " "), width)...)
			paragraph = nil
		}
	}
	for line := range strings.SplitSeq(s, "\n") {
		if line == "" || strings.HasPrefix(line, " ") {
			end()
			out = append(out, line)
			continue
		}
		paragraph = append(paragraph, line)
	}
	end()
	return strings.Join(out, "\n")
}

package main

import (
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// versionEvent is the result of version in JSON.
type versionEvent struct {
	Event   string `json:"event"` // result
	Status  int    `json:"status"`
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			system := runtime.GOOS + "/" + runtime.GOARCH
			a.print("spindle %s (%s, %s)", version, runtime.Version(), system)
			a.emit(versionEvent{"result", exitDone, version, runtime.Version(), system})
			return nil
		},
	}
}

// The date of the manual pages is fixed, so that they are the same whenever they
// are made.

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			date := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
			header := &doc.GenManHeader{Title: "SPINDLE", Section: "1", Source: "spindle " + version, Date: &date}
			return doc.GenManTree(root, header, args[0])
		},
	}
}

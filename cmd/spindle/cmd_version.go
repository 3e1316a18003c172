package main

import (
	"runtime"

	"github.com/spf13/cobra"
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

package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is the version of a release; the linker sets it.
var release string

// buildVersion is the version of this program: that of the release, else of the
// module, with the revision it was built from.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return versionOf(release, info)
}

func versionOf(release string, info *debug.BuildInfo) string {
	const unknown = "0.1.0-dev"
	version := release
	if version == "" {
		version = info.Main.Version
	}
	if version == "" || version == "(devel)" {
		version = unknown
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	const short = 12
	if rev := settings["vcs.revision"]; version == unknown && len(rev) >= short {
		version += "+" + rev[:short]
		if settings["vcs.modified"] == "true" {
			version += ".dirty"
		}
	}
	return version
}

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  needs(0, 0, ""),
		RunE: a.run(func(context.Context, []string) (result, error) {
			return &versionResult{done(), buildVersion(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}, nil
		}),
	}
}

// versionResult is the result of version.
type versionResult struct {
	ending
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (r *versionResult) Text(p *page) { p.line("spindle %s (%s, %s)", r.Version, r.Go, r.System) }

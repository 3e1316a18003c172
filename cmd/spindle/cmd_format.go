package main

import (
	"github.com/spf13/cobra"

	"spindle/burn"
)

func (a *app) formatCommand() *cobra.Command {
	var full bool
	var spare string
	c := &cobra.Command{
		Use:   "format [DRIVE]",
		Short: "Format a DVD-RAM, DVD-RW, DVD+RW or Blu-ray disc",
		Long: `format prepares a disc that is written at any place. burn does it by itself where it
is needed. What is on the disc is lost.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch spare {
			case "", "none", "min", "default":
			default:
				return usage("--spare is none, min or default, not %q", spare)
			}
			return a.eraseDisc(c.Context(), args, "formatted", func(m *burn.Medium) (*burn.Plan, error) { return burn.PlanFormat(m, full, burn.Spare(spare)) })
		},
	}
	c.Flags().BoolVar(&full, "full", false, "write or certify every sector: takes an hour or more")
	c.Flags().StringVar(&spare, "spare", "", "spare areas of a Blu-ray disc: none, min or default")
	return c
}

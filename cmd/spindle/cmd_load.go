package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"spindle/scsi/mmc"
)

func (a *app) loadCommand() *cobra.Command {
	c := a.trayCommand("load", "Close the tray of a drive, or put a disc into an attached one", mmc.Load, "the tray is closed")
	c.Use = "load [DRIVE|IMAGE]"
	c.Long = `load closes the tray of a drive. With a disc image, or sim:FILE?media=... for a blank,
it puts that disc into a drive that "spindle attach" made: the one that --drive names, or
the only one.`
	closeTray := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 || strings.HasPrefix(args[0], "/dev/") || a.drive == "" && strings.HasPrefix(args[0], "sim:") {
			return closeTray(c, args)
		}
		return a.changeDisc(args[0])
	}
	return c
}

// changeDisc puts a disc into an attached drive.
func (a *app) changeDisc(spec string) error {
	d, err := findAttached(a.drive)
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := d.ask(attachRequest{Do: "load", Spec: spec, Dir: dir}); err != nil {
		return err
	}
	a.print("%s holds %s", d.Device, d.File)
	a.emit(attachEvent{"result", d.Device, d.File})
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"spindle/drive"
	"spindle/drive/byname"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
	"spindle/scsi/tcmu"
)

// A counter counts the reads of a drive.
type counter struct {
	scsi.Device

	mu                     sync.Mutex
	reads, sectors, failed int
	took                   time.Duration
}

// Execute implements [scsi.Device].
func (c *counter) Execute(ctx context.Context, x *scsi.Command) (int, error) {
	begin := c.Clock().Now()
	n, err := c.Device.Execute(ctx, x)
	sectors := 0
	switch scsi.Opcode(x.CDB[0]) {
	case scsi.OpRead10:
		sectors = int(x.CDB[7])<<8 | int(x.CDB[8])
	case scsi.OpRead12:
		sectors = int(x.CDB[6])<<24 | int(x.CDB[7])<<16 | int(x.CDB[8])<<8 | int(x.CDB[9])
	case scsi.OpReadCD:
		sectors = int(x.CDB[6])<<16 | int(x.CDB[7])<<8 | int(x.CDB[8])
	default:
		return n, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	c.sectors += sectors
	c.took += c.Clock().Now().Sub(begin)
	if s := scsi.SenseOf(err); s != nil && s.Key == scsi.MediumError {
		c.failed++
	}
	return n, err
}

func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads, c.sectors, c.failed, c.took = 0, 0, 0, 0
}

// attach serves a drive under the name "race" until SIGTERM.
func attach(args []string) error {
	if len(args) != 2 {
		return errors.New("attach takes a disc and a file for the counts")
	}
	spec, err := sim.ParseSpec(args[0])
	if err != nil {
		return err
	}
	conn, err := byname.Simulate(context.Background(), spec)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := drive.WaitReady(context.Background(), mmc.New(conn), time.Minute); err != nil {
		return err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGTERM)
	c := &counter{Device: conn}
	served, err := tcmu.Attach(context.Background(), c, tcmu.Options{Name: "race"})
	if err != nil {
		return err
	}
	fmt.Println(served.Path())
	for {
		select {
		case err := <-served.Done():
			return errors.Join(fmt.Errorf("the drive stopped: %w", err), tcmu.Abandon("race"), tcmu.Remove("race"))
		case s := <-signals:
			if s == syscall.SIGUSR1 {
				c.reset()
				continue
			}
		}
		c.mu.Lock()
		counts := fmt.Sprintf("%d %d %d %.1f\n", c.failed, c.reads, c.sectors, c.took.Seconds())
		c.mu.Unlock()
		return errors.Join(os.WriteFile(args[1], []byte(counts), 0o666), served.Detach())
	}
}

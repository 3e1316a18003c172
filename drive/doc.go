// Package drive is what everything that works with a drive shares: [Survey] asks
// what is in it, [Classify]
// says what an error means for the next step, [WaitReady] and [Retry] wait and
// send again by the drive's own clock. It stands between the commands of
// scsi/mmc and the jobs of rip and burn, and knows no file.
package drive

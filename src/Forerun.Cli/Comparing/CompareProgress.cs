using Spectre.Console;

namespace Forerun.Cli.Comparing;

/// <summary>A progress bar on standard error. It is drawn between generations only, never during one.</summary>
/// <param name="visible">False = nothing is shown.</param>
/// <param name="total">Cells in all.</param>
internal sealed class CompareProgress(bool visible, int total)
{
    /// <summary>Runs work that reports each finished cell.</summary>
    /// <param name="work">Calls what it is given once per cell.</param>
    public Task<T> RunAsync<T>(Func<Action<CellKey>, Task<T>> work)
    {
        if (!visible)
        {
            return work(_ => { });
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoRefresh(false)
            .AutoClear(true)
            .Columns(
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(context =>
            {
                var task = context.AddTask("starting", maxValue: total);
                context.Refresh();
                return work(key =>
                {
                    task.Increment(1);
                    task.Description = Markup.Escape($"{key.Link}: {key.Prompt}, {key.Mode}");
                    context.Refresh();
                });
            });
    }
}

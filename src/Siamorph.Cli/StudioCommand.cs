using System.CommandLine;
using Siamorph.Studio;

namespace Siamorph.Cli;

/// <summary>`siamorph studio`.</summary>
internal static class StudioCommand
{
    public static Command Create()
    {
        var root = new Option<string>("--root")
        {
            Description = "Folder that the Studio may show and write to; it has no access to anything else.", HelpName = "folder",
            DefaultValueFactory = _ => ".",
        };
        var port = new NumberOption<int>("--port")
        {
            Description = "Port on this machine; 0 chooses a free one.", HelpName = "n", DefaultValueFactory = _ => 8642,
        };
        var command = new Command("studio",
            "Starts the web interface, for this machine only: datasets, mask editor, jobs, experiments, reader studies.") { root,
            port };
        return command.Runs(context =>
        {
            if (context.Get(port) is < 0 or > 65535)
                throw new InvalidOptionsException($"--port {context.Get(port)}: give a number from 0 to 65535.");
            var forms = VerbForms.Of(Program.Verbs());
            Serve(context, new()
            {
                Root = context.Get(root)!, Port = context.Get(port), Program = ThisProgram.Words, Forms = forms,
            }).GetAwaiter().GetResult();
        });
    }

    private static async Task Serve(VerbContext context, StudioOptions options)
    {
        var first = true;
        void Announce(string link)
        {
            context.Out.WriteLine(first ? $"Open this link in a browser on this machine; it works once:\n{link}"
                : $"For another browser:\n{link}");
            context.Out.Flush();
            first = false;
        }

        await using var server = await StudioServer.Start(options with { Announce = Announce });
        context.Monitor.Note("Ctrl-C ends the Studio. Jobs go on without it.");
        await StudioServer.RunUntil(context.Monitor.Cancellation);
    }
}

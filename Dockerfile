# docker build -t siamorph .
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" siamorph demo
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Siamorph.Cli -c Release -r linux-x64 --self-contained -o /siamorph

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl3 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home siamorph \
    && install -d -o siamorph -g siamorph /data
COPY --from=build /siamorph /opt/siamorph
RUN ln -s /opt/siamorph/siamorph /usr/local/bin/siamorph
USER siamorph
WORKDIR /data
ENTRYPOINT ["siamorph"]
CMD ["--help"]
